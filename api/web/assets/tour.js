// The demo's tour counts: presses and seconds from the ringing telephone until
// the request is noted. Without script the tour runs all the same, uncounted.
const bar = document.querySelector('[data-tour]')
const line = bar?.querySelector('[data-counted]')
if (line) {
  const forms = line.querySelector('[data-clicks]').dataset.clicks.split('|')
  const words = (n) => forms[Math.min(n, 2)].replace(/\d+/, n)
  const key = 'tour'
  let tour = JSON.parse(sessionStorage.getItem(key) ?? 'null')
  if (tour?.who !== bar.dataset.tour) tour = { who: bar.dataset.tour, from: Date.now(), clicks: 0 }
  if (bar.dataset.step !== '1') tour.until ??= Date.now()
  const keep = () => sessionStorage.setItem(key, JSON.stringify(tour))
  const show = () => {
    const s = Math.round(((tour.until ?? Date.now()) - tour.from) / 1000)
    line.querySelector('[data-clicks]').textContent = words(tour.clicks)
    line.querySelector('[data-clock]').textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`
    line.hidden = false
  }
  const count = () => { if (!tour.until) { tour.clicks++; keep(); show() } }
  addEventListener('click', (e) => { if (e.detail > 0 && e.isTrusted && e.target.closest('a, button, label, input, summary, select') && !(e.target.matches('input') && e.target.closest('label') && e.target !== document.elementFromPoint(e.clientX, e.clientY))) count() }, true)
  addEventListener('keydown', (e) => { if (e.key === 'Enter' && e.target.closest('a, button, input')) count() }, true)
  keep()
  show()
  if (!tour.until) setInterval(show, 1000)
}
