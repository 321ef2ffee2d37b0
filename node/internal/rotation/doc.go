// Package rotation decides.
package rotation
