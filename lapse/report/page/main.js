'use strict';
// Puts the page together, and again when the language, the colours or the paper change.

const made = JSON.parse(document.getElementById('document').textContent);
const outlines = JSON.parse(document.getElementById('outline').textContent);

function render() {
  const main = document.getElementById('main');
  const open = [...main.querySelectorAll('details')].map((one) => one.open);
  for (const canvas of main.querySelectorAll('canvas')) Chart.getChart(canvas)?.destroy();
  document.documentElement.lang = language;
  document.getElementById('languages').setAttribute('aria-label', t('Language'));
  for (const one of document.querySelectorAll('[data-language]')) one.setAttribute('aria-pressed', String(one.dataset.language === language));
  main.replaceChildren();
  dress();
  try {
    if (made.schema === 'lapse.result/1') resultPage(main, made, outlines);
    else if (made.schema === 'lapse.pipeline/1') pipelinePage(main, made);
    else sweepPage(main, made);
  } catch (error) {
    console.error(error);
    main.prepend(h('p', { class: 'alert' }, t('This file is not whole: {reason}', { reason: error.message })));
  }
  main.querySelectorAll('details').forEach((one, index) => { one.open = open[index] ?? false; });
}

function onPaper(yes) {
  document.documentElement.toggleAttribute('data-print', yes); // paper is light
  render();
}

document.getElementById('languages').addEventListener('click', ({ target }) => {
  language = target.dataset.language ?? language;
  render();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', render);
addEventListener('beforeprint', () => onPaper(true));
addEventListener('afterprint', () => onPaper(false));
render();
