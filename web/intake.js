// How photos come in: chosen, taken by the camera, dragged anywhere onto the page, or pasted. take(files) gets them.

import { t } from './text.js';

/** Files that were dropped; of a folder, those in it. */
async function dropped(transfer) {
  const entries = [...transfer.items].filter((item) => item.kind === 'file').map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  return (await Promise.all(entries.map(unfold))).flat();
}

async function unfold(entry) {
  if (!entry || entry instanceof File) return entry ? [entry] : [];
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const found = [];
  for (;;) { // it hands out a folder piece by piece
    const piece = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!piece.length) return (await Promise.all(found.map(unfold))).flat();
    found.push(...piece.filter(({ name }) => !name.startsWith('.')));
  }
}

// The clipboard and some cameras call every photo "image.png": a time tells them apart.
function named(file) {
  if (!/^image\.\w+$/.test(file.name)) return file;
  const now = new Date();
  const local = new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.');
  return new File([file], `${t('Photo')} ${local}.${file.name.split('.').pop()}`, { type: file.type });
}

export function watch(take) {
  const overlay = document.getElementById('overlay');
  const hand = (files) => files.length && take(files.map(named));

  for (const id of ['choose', 'camera']) {
    const input = document.getElementById(id);
    input.addEventListener('change', () => {
      hand([...input.files]);
      input.value = ''; // so that the same photo may be chosen again
    });
  }

  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) event.preventDefault();
    hand(files);
  });

  // Entering a child is told before leaving its parent, so the two are counted.
  let depth = 0;
  const over = (by) => {
    depth = Math.max(0, depth + by);
    overlay.hidden = depth === 0;
  };
  const ours = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  addEventListener('dragenter', (event) => ours(event) && over(1));
  addEventListener('dragleave', (event) => ours(event) && over(-1));
  addEventListener('dragover', (event) => ours(event) && event.preventDefault());
  addEventListener('drop', (event) => {
    if (!ours(event)) return;
    event.preventDefault();
    over(-depth);
    dropped(event.dataTransfer).then(hand);
  });
}
