// Small helps. Every page works without them.

// A form that was sent is not sent twice by a second press.
document.addEventListener('submit', (e) => {
  const form = e.target
  if (form.method !== 'post' || form.hasAttribute('hx-post')) return
  if (form.dataset.sent) { e.preventDefault(); return }
  form.dataset.sent = 'yes'
})
// The back button shows a form that may be sent again: its key makes that safe.
window.addEventListener('pageshow', () => { for (const f of document.forms) delete f.dataset.sent })

// A slash takes an idle hand to the search box.
document.addEventListener('keydown', (e) => {
  if (e.key !== '/' || e.ctrlKey || e.metaKey || e.altKey) return
  if (e.target.matches('input, textarea, select')) return
  const box = document.querySelector('input[type=search]')
  if (box) { e.preventDefault(); box.focus(); box.select() }
})

// Printed pages: a button where script can print; without, the page names the keys.
for (const b of document.querySelectorAll('[data-print]')) {
  b.hidden = false
  b.addEventListener('click', () => window.print())
}
