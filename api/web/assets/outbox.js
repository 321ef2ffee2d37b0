// An answer is not lost by a dead network. Each form of a volunteer's pages is
// first kept on this telephone, then sent under its own key, so that sending it
// again counts once; what has been answered is forgotten here. One entry is one
// item of the local storage: its form's fields, when, and whose. Entries leave in
// the order in which they came. Without script the forms work by themselves.
{
  const box = document.getElementById('outbox')
  const whose = box.dataset.who // empty on the page without network
  const monthAgo = Date.now() - 30 * 24 * 3600e3
  const part = (name) => box.querySelector(`[data-out=${name}]`)

  const entries = () => {
    const all = []
    for (const name of Object.keys(localStorage).filter((n) => n.startsWith('outbox.')).sort()) {
      const entry = JSON.parse(localStorage.getItem(name))
      if (entry.at < monthAgo) localStorage.removeItem(name)
      else if (!whose || entry.whose === whose) all.push({ name, ...entry })
    }
    return all
  }
  const drop = (entry) => localStorage.removeItem(entry.name)

  // kind names an answer; forms without a name here are sent as ever.
  const kind = (path) => box.getAttribute('data-' + path.split('/').pop())

  // keep throws where the telephone keeps nothing.
  const keep = (form, button) => {
    const fields = new URLSearchParams(new FormData(form))
    if (button?.name) fields.append(button.name, button.value)
    const to = new URL(button?.getAttribute('formaction') ?? form.action, location.href).pathname
    entries().filter((e) => e.key === fields.get('key')).forEach(drop)
    const entry = { name: `outbox.${Date.now()}.${fields.get('key')}`, whose, at: Date.now(), key: fields.get('key'), form: form.getAttribute('action'), to, fields: fields.toString() }
    localStorage.setItem(entry.name, JSON.stringify(entry))
    return entry
  }

  // send answers {to} when it is recorded, {problem} when it never will be, else
  // nothing: no network, a server that cannot, a hotel's page in its place.
  const send = async (entry) => {
    try {
      const answer = await fetch(entry.to, { method: 'POST', body: new URLSearchParams(entry.fields), headers: { 'X-Outbox': whose }, signal: AbortSignal.timeout?.(20e3) })
      if (answer.status === 401) return { ended: true }
      return answer.status < 500 && answer.status !== 429 ? await answer.json() : {}
    } catch { return {} }
  }

  // One tab sends at a time. A second one finds an empty box after the first.
  const alone = (f) => navigator.locks ? navigator.locks.request('outbox', f) : f()
  const flush = () => alone(async () => {
    const answers = new Map()
    let ended = false
    for (const entry of entries()) {
      const answer = await send(entry)
      answers.set(entry.name, answer)
      if (answer.to || answer.problem) drop(entry)
      else { ended = !!answer.ended; break }
    }
    show(ended)
    return answers
  })

  // show says what waits, and marks the cards whose answer waits.
  const show = (ended) => {
    const all = entries()
    part('kept').hidden = all.length === 0
    part('ended').hidden = !ended
    part('count').textContent = all.length
    part('list').replaceChildren(...all.map((entry) => {
      const line = document.createElement('li')
      const at = new Date(entry.at).toLocaleString(document.documentElement.lang, { weekday: 'long', hour: 'numeric', minute: '2-digit' })
      line.textContent = `${kind(entry.to)}, ${at}`
      return line
    }))
    for (const entry of all) document.querySelector(`form[action="${CSS.escape(entry.form)}"]`)?.closest('[data-answer]')?.classList.add('waits')
  }

  // refused says why some of what had waited is not done.
  const refused = (answers) => {
    const all = [...answers.values()].filter((a) => a.problem)
    part('problem').hidden = all.length === 0
    part('problems').textContent = all.map((a) => a.problem).join(' ')
    return all.length > 0
  }

  // settle goes on to where the last answer leads, unless there is a sentence to
  // read first or somebody is writing.
  const settle = (answers) => {
    const to = [...answers.values()].filter((a) => a.to).pop()?.to
    const writing = [...document.querySelectorAll('main input:not([type=hidden]), main textarea')].some((f) => f.value !== f.defaultValue || f.checked !== f.defaultChecked)
    if (refused(answers) || !to) return
    if (writing) part('sent').hidden = false
    else location.replace(to)
  }

  const retry = async () => {
    if (!whose) location.reload()
    else if (entries().length) settle(await flush())
  }

  document.addEventListener('submit', async (e) => {
    const form = e.target
    if (e.defaultPrevented || !whose) return
    if (form.getAttribute('action') === '/sign-out') {
      if (entries().length && part('leaving').hidden) {
        e.preventDefault()
        delete form.dataset.sent
        part('leaving').hidden = false
      } else for (const entry of entries()) drop(entry)
      return
    }
    if (form.dataset.plain || !form.getAttribute('action')?.startsWith('/me/') || !kind(form.getAttribute('action'))) return
    let entry
    try { entry = keep(form, e.submitter) } catch { return }
    e.preventDefault()
    form.setAttribute('aria-busy', 'true')
    const answers = await flush()
    form.removeAttribute('aria-busy')
    delete form.dataset.sent
    const answer = answers.get(entry.name) ?? {}
    if (answer.problem) { // its page says more: send the form as if there were no script
      form.dataset.plain = 'yes'
      form.requestSubmit(e.submitter)
    } else if (answer.to) {
      location.assign(answer.to)
    } else {
      refused(answers)
      part('kept').scrollIntoView({ block: 'nearest' })
    }
  })

  box.querySelector('button').addEventListener('click', retry)
  addEventListener('online', retry)
  document.addEventListener('visibilitychange', () => { if (!document.hidden && whose) retry() })
  setInterval(() => { if (!document.hidden && whose) retry() }, 30e3)
  show(false)
  if (whose) {
    retry()
    navigator.serviceWorker?.register('/sw.js?' + document.documentElement.lang, { scope: '/me' }).catch(() => {})
  }
}
