package synth

import (
	"math/rand/v2"
	"slices"
)

// percent is true p times in a hundred.
func percent(r *rand.Rand, p int) bool { return r.IntN(100) < p }

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// between is uniform over low..high, both ends in.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

// running turns weights into their running sums, for weighted.
func running(weights []int) []int {
	sums, sum := make([]int, len(weights)), 0
	for i, w := range weights {
		sum += w
		sums[i] = sum
	}
	return sums
}

// weighted picks an index by running sums; the last sum must be positive.
func weighted(r *rand.Rand, sums []int) int {
	i, _ := slices.BinarySearch(sums, 1+r.IntN(sums[len(sums)-1]))
	return i
}

// quota is n answers of which exactly k are true, in any order.
func quota(r *rand.Rand, n, k int) []bool {
	q := make([]bool, n)
	for i := range k {
		q[i] = true
	}
	r.Shuffle(n, func(i, j int) { q[i], q[j] = q[j], q[i] })
	return q
}
