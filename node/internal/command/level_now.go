//go:build !level1

package command

// Current is what this program knows.
const Current Level = 4
