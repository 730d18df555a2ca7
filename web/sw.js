// The service worker: the page opens without the server (photos chosen meanwhile are kept and sent later), and says when photos are done.
// The server's newest files come first; those kept are for when it does not answer. What is under /v2/ is never touched.

const kCache = 'lapse-page';
const files = ['/', '/style.css', '/album.css', '/compare.css', '/icons.svg', '/icon-192.png', '/icon-512.png', '/manifest.webmanifest', '/app.js', '/album.js', '/api.js',
  '/compare.js', '/connection.js', '/events.js', '/intake.js', '/korean.js', '/notices.js', '/photos.js', '/session.js', '/settings.js', '/store.js', '/text.js',
  '/thumbs.js', '/times.js', '/uploads.js', '/words.js'];

addEventListener('install', (event) => {
  skipWaiting();
  event.waitUntil(caches.open(kCache).then((cache) => cache.addAll(files)));
});

addEventListener('activate', (event) => event.waitUntil(clients.claim()));

async function answer(request) {
  const cache = await caches.open(kCache);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response.status >= 500 ? (await cache.match(request)) ?? response : response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method === 'GET' && origin === location.origin && files.includes(pathname)) event.respondWith(answer(event.request));
});

addEventListener('message', (event) => {
  const { title, options } = event.data;
  event.waitUntil(clients.matchAll({ type: 'window' }).then((windows) => {
    if (!windows.some((window) => window.visibilityState === 'visible')) return registration.showNotification(title, options);
    return undefined;
  }));
});

addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(clients.matchAll({ type: 'window' }).then(async ([window]) => {
    const address = event.notification.data;
    if (!window) return clients.openWindow(address);
    await window.focus();
    return window.postMessage({ open: address });
  }));
});
