// Opens a quiet page where there is no network. What is kept on the telephone is
// that page and its looks (the list above), never a page with a name on it.
const kept = 'shell ' + shell.join(' ') + location.search

self.addEventListener('install', (e) => e.waitUntil((async () => {
  await (await caches.open(kept)).addAll(shell)
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
  } else if (new URL(request.url).pathname.startsWith('/assets/')) {
    e.respondWith(caches.match(request).then((answer) => answer ?? fetch(request)))
  }
})
