package geo

// Around is about where a commune lies: its own point, or else the mean of the points
// of its EPCI's communes, or of its département's. False for an unknown code, and
// where nothing around has a point. It serves to say who is near whom among
// territories, and is too coarse for a road.
func Around(code Insee) (Point, bool) {
	c, ok := Lookup(code)
	if !ok {
		return Point{}, false
	}
	if c.Located {
		return c.Point, true
	}
	if e, ok := LookupEPCI(c.EPCI); ok {
		if p, ok := mean(e.Members); ok {
			return p, true
		}
	}
	return mean(CommunesOf(c.Departement))
}

// mean of the points of those communes that have one. Few lie on both sides of the
// antimeridian, and none together.
func mean(codes []Insee) (Point, bool) {
	var lat, lon, n int64
	for _, code := range codes {
		if c, ok := Lookup(code); ok && c.Located {
			lat, lon, n = lat+int64(c.Point.Lat), lon+int64(c.Point.Lon), n+1
		}
	}
	if n == 0 {
		return Point{}, false
	}
	return Point{Lat: int32(lat / n), Lon: int32(lon / n)}, true
}
