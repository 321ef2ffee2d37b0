//go:build level1

package command

// Current is that of an older program: with the build tag level1 it stands for
// one in tests of an upgrade.
const Current Level = 1
