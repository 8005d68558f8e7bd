/* Suggested entries by keyboard: from one to the next, and what its buttons do by their letters. */
const cards = () => [...document.querySelectorAll("[data-entry]")];
const focused = () => document.activeElement && document.activeElement.closest("[data-entry]");
const MOVES = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

function isTyping(element) {
  return Boolean(element && element.closest("input, textarea, select, audio, [contenteditable]"));
}

function goTo(card) {
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = cards();
  const at = all.indexOf(focused());
  const next = at < 0 ? all[0] : all[at + step];
  if (next) {
    goTo(next);
  }
  return Boolean(all.length);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || isTyping(event.target)) {
    return;
  }
  const elsewhere = document.activeElement !== document.body && !focused();
  const step = MOVES[event.key];
  if (step && !elsewhere && move(step)) {
    event.preventDefault();
    return;
  }
  const card = focused();
  // A key that is held down would decide about one entry after another.
  const button = card && !event.repeat && /^[a-z]$/.test(event.key) && card.querySelector(`[data-key="${event.key}"]`);
  if (button) {
    event.preventDefault();
    button.click();
  }
});

/* Twice the same press is one. */
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
  }
  event.target.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});

/* The layout can be focused only once its script has run. */
function whenShown(act) {
  const root = document.documentElement;
  if (!root.hasAttribute("x-cloak")) {
    act();
    return;
  }
  const watch = new MutationObserver(() => {
    if (!root.hasAttribute("x-cloak")) {
      watch.disconnect();
      act();
    }
  });
  watch.observe(root, { attributes: true, attributeFilter: ["x-cloak"] });
}

whenShown(() => {
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  const first = document.querySelector("[autofocus]");
  if (wanted && wanted.matches("[data-entry]")) {
    goTo(wanted);
  } else if (first) {
    first.focus();
  }
});
