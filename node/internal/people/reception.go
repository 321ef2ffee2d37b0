package people

// AtReception is what of her words is for whoever takes the call and opens no dossier:
// who she is, how to reach her, and which language her papers have.
func (w BeneficiaryWords) AtReception() BeneficiaryWords {
	return BeneficiaryWords{Civility: w.Civility, Last: w.Last, First: w.First, Phones: w.Phones, Modes: w.Modes, Paper: w.Paper}
}
