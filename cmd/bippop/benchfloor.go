package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"time"
)

// floorTime is how long a floor is measured.
const floorTime = 500 * time.Millisecond

// syncRate is how often a second a 512-byte record can be appended and synced:
// no acknowledged write is faster.
func syncRate(dir string) (int, error) {
	file, err := os.CreateTemp(dir, "fsync-floor-")
	if err != nil {
		return 0, fmt.Errorf("measuring the disk: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	record := make([]byte, 512)
	n := 0
	from := time.Now()
	for time.Since(from) < floorTime {
		if _, err = file.Write(record); err == nil {
			err = file.Sync()
		}
		if err != nil {
			return 0, fmt.Errorf("measuring the disk: %w", err)
		}
		n++
	}
	return int(float64(n) / time.Since(from).Seconds()), nil
}

// hashRate is how many MB a second one core hashes: a processor's size in one
// number.
func hashRate() int {
	block := make([]byte, 1<<20)
	n := 0
	from := time.Now()
	for time.Since(from) < floorTime {
		sum := sha256.Sum256(block)
		block[0] = sum[0]
		n++
	}
	return int(float64(n) / time.Since(from).Seconds())
}
