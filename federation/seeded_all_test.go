//go:build leak

package federation_test

func init() { everySeed = true }
