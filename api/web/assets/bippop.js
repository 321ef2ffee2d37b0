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

// From the search box, down and up walk through who was found, and Enter opens
// the first.
const found = (box) => box && document.querySelector(`#results [data-for="${CSS.escape(box.value)}"]`)
document.addEventListener('keydown', (e) => {
  if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return
  const hits = [...document.querySelectorAll('#results a.hit')]
  const here = hits.indexOf(e.target)
  const box = document.querySelector('input[type=search]')
  if (!hits.length || here < 0 && e.target !== box) return
  e.preventDefault()
  const next = here + (e.key === 'ArrowDown' ? 1 : -1)
  if (next < 0) box.focus()
  else hits[Math.min(next, hits.length - 1)].focus()
})
document.addEventListener('submit', (e) => {
  const box = e.target.querySelector('input[type=search]')
  const hit = document.activeElement === box && found(box)?.querySelector('a.hit')
  if (hit) { e.preventDefault(); location.assign(hit.href) }
}, true)

// The settings show beside the form what is being typed.
document.querySelector('form[data-previews]')?.addEventListener('input', (e) => {
  const { name, value, placeholder } = e.target
  if (name === 'colour') for (const b of document.querySelectorAll('[data-preview-colour], .sample-head')) b.style.background = value
  for (const p of document.querySelectorAll(`[data-preview="${name}"]`)) p.textContent = value || placeholder
})

// News waits. A stream says how much has changed elsewhere; the button fetches
// this page again and puts in what is marked as a part of it, except where
// somebody is writing. Hidden windows do not listen: a browser has few lines.
const news = document.querySelector('[data-live]')
if (news && window.EventSource) {
  let line = null
  const touched = (part) => part.contains(document.activeElement) ||
    [...part.querySelectorAll('input, textarea, select')].some((f) => f.type === 'radio' || f.type === 'checkbox' ? f.checked !== f.defaultChecked : f.defaultValue !== undefined && f.value !== f.defaultValue)
  const refresh = async () => {
    const answer = await fetch(location.href)
    if (!answer.ok) return
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    for (const old of document.querySelectorAll('[data-part]')) {
      const fresh = page.querySelector(`[data-part="${old.dataset.part}"]`)
      if (fresh && !touched(old)) old.replaceWith(fresh)
    }
    news.dataset.live = page.querySelector('[data-live]').dataset.live
    news.replaceChildren()
    hush()
    listen()
  }
  const listen = () => {
    if (line || document.hidden) return
    line = new EventSource(news.dataset.live)
    line.onmessage = (e) => {
      let button = news.querySelector('button')
      if (!button) {
        button = document.createElement('button')
        button.type = 'button'
        button.addEventListener('click', refresh)
        news.append(button)
      }
      if (button.textContent !== e.data) button.textContent = e.data
    }
  }
  const hush = () => { line?.close(); line = null }
  document.addEventListener('visibilitychange', () => document.hidden ? hush() : listen())
  addEventListener('pagehide', hush)
  listen()
}

// A piece that another machine knows comes after the page, which never waits for it.
// Until then, and without it, there is a link in its place.
for (const piece of document.querySelectorAll('[data-fetch]')) {
  fetch(piece.dataset.fetch, { headers: { 'HX-Request': 'true' } })
    .then((answer) => answer.ok ? answer.text() : Promise.reject())
    .then((text) => { if (!piece.contains(document.activeElement)) piece.outerHTML = text })
    .catch(() => {})
}

// Printed pages: a button where script can print; without, the page names the keys.
for (const b of document.querySelectorAll('[data-print]')) {
  b.hidden = false
  b.addEventListener('click', () => window.print())
}
