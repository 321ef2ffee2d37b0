// Opens a quiet page where there is no network. What is kept on the telephone is
// that page and its looks (the list above), never a page with a name on it.
const kept = 'shell ' + shell.join(' ') + location.search

self.addEventListener('install', (e) => e.waitUntil((async () => {
  const page = await (await fetch(shell[0])).text()
  const looks = [...page.matchAll(/(?:href|src)="(\/(?:theme|logo)\/[^"]+)"/g)].map((m) => m[1])
  await (await caches.open(kept)).addAll([...shell, ...looks])
  await self.skipWaiting()
})()))

self.addEventListener('activate', (e) => e.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== kept) await caches.delete(name)
  await self.registration.navigationPreload?.enable()
  await self.clients.claim()
})()))

self.addEventListener('fetch', (e) => {
  const { request } = e
  if (request.method !== 'GET') return
  if (request.mode === 'navigate') {
    e.respondWith((async () => {
      try { return await e.preloadResponse ?? await fetch(request) } catch { return caches.match(shell[0]) }
    })())
  } else if (/^\/(assets|theme|logo)\//.test(new URL(request.url).pathname)) {
    e.respondWith(caches.match(request).then((answer) => answer ?? fetch(request)))
  }
})
