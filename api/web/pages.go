package web

import (
	"bytes"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// pages are the templates of one language, read when it is first spoken. They are
// one set, so that what pages share is held once: the "main" of each page stands
// in it under the page's own name. Safe for concurrent use.
type pages struct {
	once  sync.Once
	funcs []template.FuncMap
	set   *template.Template
	names map[string]bool
}

// read reads them. A template that cannot be read, or a block defined twice, is a
// fault of the program: it panics.
func (p *pages) read() *template.Template {
	p.once.Do(func() {
		set, names := template.New(""), map[string]bool{}
		for _, f := range p.funcs {
			set.Funcs(f)
		}
		paths, err := fs.Glob(files, "templates/*.html")
		if err != nil {
			panic("web: " + err.Error())
		}
		for _, file := range paths {
			text, err := files.ReadFile(file)
			if err != nil {
				panic("web: " + err.Error())
			}
			name := strings.TrimSuffix(path.Base(file), ".html")
			names[name] = true
			template.Must(set.New(file).Parse(strings.Replace(string(text), `{{define "main"}}`, `{{define "main:`+name+`"}}`, 1)))
		}
		p.set, p.names = set, names
	})
	return p.set
}

// main is the inner part of a page.
func (p *pages) main(name string, data any) (template.HTML, error) {
	set := p.read()
	if !p.names[name] {
		panic("web: no page " + name)
	}
	var out bytes.Buffer
	err := set.ExecuteTemplate(&out, "main:"+name, data)
	return template.HTML(out.String()), err
}

// block writes a named block.
func (p *pages) block(out io.Writer, name string, data any) error {
	return p.read().ExecuteTemplate(out, name, data)
}
