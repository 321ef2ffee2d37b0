package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// nationColumns are those of the open data, in the order of the file;
// deploy/nation.md describes each.
var nationColumns = []string{"schema", "scope", "siren", "name", "departement", "simulated", "from", "to", "territories", "territories_simulated", "indicator", "unit", "value", "low", "high", "too_few"}

// nationRecord is one number of the open data.
type nationRecord struct {
	Scope       string `json:"scope"` // nation, territory
	Siren       string `json:"siren,omitempty"`
	Name        string `json:"name,omitempty"`
	Departement string `json:"departement,omitempty"`
	Simulated   bool   `json:"simulated"`
	From        string `json:"from"` // "2026-T3"
	To          string `json:"to"`
	Territories int    `json:"territories"`
	OfThem      int    `json:"territories_simulated"`
	Indicator   string `json:"indicator"`
	Unit        string `json:"unit"`
	Value       *int64 `json:"value"` // null: too few
	Low         *int64 `json:"low"`
	High        *int64 `json:"high"`
	TooFew      bool   `json:"too_few"`
}

func (s nation) records(c *gin.Context) (out []nationRecord, err error) {
	all, err := s.node.Nation.Export(caller(c), c.Query("real") == "1")
	for _, r := range all {
		rec := nationRecord{
			Scope: "nation", Siren: r.Siren, Name: r.Name, Departement: r.Departement, Simulated: r.Simulated, From: r.From.String(), To: r.To.String(),
			Territories: r.Territories, OfThem: r.OfThemSimulated, Indicator: r.Indicator, Unit: r.Unit, TooFew: r.TooFew,
		}
		if r.Siren != "" {
			rec.Scope = "territory"
		}
		if !r.TooFew {
			rec.Value, rec.Low, rec.High = &r.Value.N, &r.Value.Low, &r.Value.High
		}
		out = append(out, rec)
	}
	return out, err
}

// csv is the open data for a spreadsheet.
func (s nation) csv(c *gin.Context) {
	all, err := s.records(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	var rows [][]string
	for _, r := range all {
		rows = append(rows, []string{
			node.NationSchema, r.Scope, r.Siren, r.Name, r.Departement, strconv.FormatBool(r.Simulated), r.From, r.To, strconv.Itoa(r.Territories), strconv.Itoa(r.OfThem),
			r.Indicator, r.Unit, number(r.Value), number(r.Low), number(r.High), strconv.FormatBool(r.TooFew),
		})
	}
	c.Header("Content-Disposition", `attachment; filename="nation.csv"`)
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Cache-Control", "no-store")
	if err := node.WriteTable(c.Writer, nationColumns, rows); err != nil {
		c.Abort() // who asked has gone away
	}
}

// json is the open data for programs.
func (s nation) json(c *gin.Context) {
	all, err := s.records(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Header("Content-Disposition", `attachment; filename="nation.json"`)
	c.Header("Cache-Control", "no-store")
	c.Header("Content-Type", "application/json")
	c.Status(http.StatusOK)
	if err := json.NewEncoder(c.Writer).Encode(struct {
		Schema string         `json:"schema"`
		Items  []nationRecord `json:"items"`
	}{node.NationSchema, all}); err != nil {
		c.Abort()
	}
}
