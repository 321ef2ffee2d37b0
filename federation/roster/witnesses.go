package roster

// witnesses are the hubs that sign what they have seen, and how many of them must.
type witnesses struct {
	hubs      []Hub
	threshold uint8
}

func (s *State) witnesses() witnesses { return witnesses{s.Hubs, s.Threshold} }

func (w witnesses) keys() (keys []string) {
	for _, h := range w.hubs {
		if h.Witness {
			keys = append(keys, h.Key)
		}
	}
	return keys
}

// needed is never 0: without witnesses nothing settles.
func (w witnesses) needed() int { return max(1, int(w.threshold)) }

// check: outside a demo they are independent of each other and of the coordinator.
func (w witnesses) check(s *State) error {
	if s.Demo || len(w.hubs) == 0 {
		return nil
	}
	if w.threshold < 2 {
		return refuse("two witnesses at least must sign")
	}
	operators := map[string]bool{}
	for _, h := range w.hubs {
		if !h.Witness {
			continue
		}
		if operators[h.Operator] {
			return refuse("two witnesses are operated by %s", h.Operator)
		}
		operators[h.Operator] = true
		if owner, coordinator := s.index.peers[h.Peer]; coordinator {
			return refuse("witness %s is a machine of the coordinator, %s", h.Name, owner)
		}
	}
	for _, m := range s.Members {
		if m.Role == Coordinator && operators[m.Name] {
			return refuse("a witness is operated by the coordinator")
		}
	}
	return nil
}
