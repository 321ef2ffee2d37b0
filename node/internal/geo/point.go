package geo

import "math/bits"

// Point is a position in units of 1e-5 degrees (1.1 m of latitude), WGS 84: Lat from -9,000,000 to 9,000,000, north
// positive; Lon from -18,000,000 to 18,000,000, east positive.
type Point struct{ Lat, Lon int32 }

// Distance is the length of the great circle from a to b in metres, rounded, on a sphere of the Earth's mean radius
// (6,371,008.8 m, IUGG). It is within 0.6 % of the ellipsoid's, and says nothing of roads.
//
// It is computed with whole numbers, so that all nodes of a territory find the same metre.
func Distance(a, b Point) (metres int) {
	u, v := a.unit(), b.unit()
	var apart, along uint64
	for i := range u {
		d, s := u[i]-v[i], u[i]+v[i]
		apart += uint64(d * d)
		along += uint64(s * s)
	}
	// Half the angle of two unit vectors has |u-v| and |u+v| as sides (Kahan), which is precise at any distance.
	half := arctan(root(apart), root(along))
	return int((half>>8*2*metresPerUnit/1e7 + 1<<11) >> 12)
}

// metresPerUnit is the arc of 1e-5 degrees on the sphere above, in 1e-7 metres: 1.1119508 m.
const metresPerUnit = 11119508

// Angles below are in 1e-5 degrees << fine; lengths are fractions of one.
const (
	fine    = 20
	one     = 1 << 28
	quarter = 9_000_000 << fine // a right angle
)

// arctans[i] is the angle whose tangent is 2^-i. Rotating by each in turn, left or right, reaches any angle with
// shifts and sums alone (Volder's CORDIC, 1959), and lengthens the vector by 1/gain.
var arctans = [...]int64{
	4718592000000, 2785547510306, 1471806803062, 747112114307, 375005839360, 187685730595, 93865766836, 46935747682,
	23468231923, 11734160724, 5867085957, 2933543678, 1466771926, 733385974, 366692988, 183346494, 91673247, 45836624,
	22918312, 11459156, 5729578, 2864789, 1432394, 716197, 358099, 179049, 89525, 44762, 22381, 11191, 5595, 2798,
}

// gain is the product of cos(arctans[i]), as a fraction of one << fine.
const gain = 170_926_505_739_102 // 0.6072529350088813 * 2^48

// unit is the vector from the Earth's centre, of length one.
func (p Point) unit() [3]int64 {
	sinLat, cosLat := sincos(int64(p.Lat) << fine)
	sinLon, cosLon := sincos(int64(p.Lon) << fine)
	return [3]int64{cosLat * cosLon / one, cosLat * sinLon / one, sinLat}
}

// sincos takes an angle within two right angles of zero.
func sincos(angle int64) (sin, cos int64) {
	switch {
	case angle > quarter:
		sin, cos = sincos(2*quarter - angle)
		return sin, -cos
	case angle < -quarter:
		sin, cos = sincos(-2*quarter - angle)
		return sin, -cos
	}
	x, y := int64(gain), int64(0)
	for i, turn := range arctans {
		if angle >= 0 {
			x, y, angle = x-y>>i, y+x>>i, angle-turn
		} else {
			x, y, angle = x+y>>i, y-x>>i, angle+turn
		}
	}
	const half = 1 << (fine - 1)
	return (y + half) >> fine, (x + half) >> fine
}

// arctan is the angle of the vector (x, y), both 0 or more and at most 2 * one.
func arctan(y, x int64) (angle int64) {
	x, y = x<<fine, y<<fine
	for i, turn := range arctans {
		if y > 0 {
			x, y, angle = x+y>>i, y-x>>i, angle+turn
		} else if y < 0 {
			x, y, angle = x-y>>i, y+x>>i, angle-turn
		}
	}
	return max(angle, 0)
}

// root is the square root, rounded down.
func root(n uint64) int64 {
	if n == 0 {
		return 0
	}
	r := uint64(1) << ((bits.Len64(n) + 1) / 2) // not below the root
	for {
		next := (r + n/r) / 2
		if next >= r {
			return int64(r)
		}
		r = next
	}
}
