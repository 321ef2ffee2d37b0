package web

import "strings"

// What is kept of the browser that signs in: one number of this closed list, enough
// for its owner to know it again, and too little to follow anybody by.
var (
	browsers = []string{"Edg", "OPR", "SamsungBrowser", "Firefox", "FxiOS", "CriOS", "Chrome", "Safari"}
	systems  = []string{"iPhone", "iPad", "Android", "Windows", "CrOS", "Mac OS X", "Linux"}
)

// deviceOf reads what a browser says of itself: its place in browsers, times 256, and
// its place in systems, each from 1 on; 0 where it is none of them.
func deviceOf(userAgent string) uint16 {
	find := func(list []string) uint16 {
		for i, name := range list {
			if strings.Contains(userAgent, name) {
				return uint16(i + 1)
			}
		}
		return 0
	}
	return find(browsers)<<8 | find(systems)
}

// deviceText is how its owner calls it.
func deviceText(w *tongue, device uint16) string {
	name := map[uint16]string{1: "Edge", 2: "Opera", 3: "Samsung Internet", 4: "Firefox", 5: "Firefox", 6: "Chrome", 7: "Chrome", 8: "Safari"}[device>>8]
	system := map[uint16]string{1: "iPhone", 2: "iPad", 3: "Android", 4: "Windows", 5: "ChromeOS", 6: "macOS", 7: "Linux"}[device&0xff]
	if name == "" || system == "" {
		return w.t("account.device_unknown")
	}
	return w.t("account.device", "Browser", name, "System", system)
}
