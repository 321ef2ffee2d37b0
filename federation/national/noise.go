package national

import "math"

// noise is the distribution of a weighted sum of independent Laplace variables, by
// its second and fourth cumulant; the odd ones are none.
type noise struct{ k2, k4 float64 }

// add adds n variables of a scale, each times a weight.
func (z noise) add(scale, weight float64, n int) noise {
	b := scale * weight
	return noise{z.k2 + 2*b*b*float64(n), z.k4 + 12*b*b*b*b*float64(n)}
}

// level is how many of a thousand sums lie within a width, and the quantile of the
// normal distribution that as many lie within.
type level struct {
	thousandths float64
	normal      float64
}

var (
	sure95 = level{950, 1.959963984540054}
	sure97 = level{975, 2.241402727604945} // each of two bounds, so that both hold at 95 %
)

// width is such that 95 % of the sums lie within it on either side.
func (z noise) width() float64 { return z.within(sure95) }

// within is the width at a level: exact for one variable, and otherwise by the first
// term of Cornish and Fisher, whose coverage is off by less than 0.5 % from two
// variables on.
func (z noise) within(l level) float64 {
	if z.k2 == 0 {
		return 0
	}
	kurtosis := z.k4 / (z.k2 * z.k2)
	if kurtosis > 2.999 { // one variable
		return -math.Sqrt(z.k2/2) * math.Log(1-l.thousandths/1000)
	}
	return l.normal * math.Sqrt(z.k2) * (1 + (l.normal*l.normal-3)/24*kurtosis)
}
