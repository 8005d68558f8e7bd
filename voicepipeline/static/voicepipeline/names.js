/* Names to check by keyboard. Every key presses a button or follows a link that is on the page, and never while somebody types. */
const KEYS_OFF = "names-keys-off";
const keysSwitch = document.getElementById("names-keys");
let leaving = false;

function isTyping(element) {
  return element.matches("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=submit])");
}

/* These have a use for arrows of their own. */
function hasArrows(element) {
  return element.matches("input[type=radio], audio");
}

function press(key) {
  const button = [...document.querySelectorAll("[data-shortcut]")].find((each) => each.dataset.shortcut === key);
  if (button) {
    // What is pressed twice in haste must not answer the question that comes next.
    leaving = !button.dataset.seek;
    button.click();
  }
  return Boolean(button);
}

function moveFocus(step) {
  const choices = [...document.querySelectorAll("[data-choice]")];
  const at = choices.indexOf(document.activeElement);
  const next = choices[at < 0 ? (step > 0 ? 0 : choices.length - 1) : at + step];
  if (next) {
    next.focus();
  }
  return choices.length > 0;
}

function changeScope() {
  const scopes = [...document.querySelectorAll("input[type=radio][name=only]")];
  const next = scopes[(scopes.findIndex((each) => each.checked) + 1) % scopes.length];
  if (next) {
    next.checked = true;
    next.focus();
  }
  return Boolean(next);
}

function startSearch() {
  const field = document.getElementById("roster-search");
  if (field) {
    field.focus();
    field.select();
  }
  return Boolean(field);
}

/* Where the answer shall hold is not forgotten while somebody looks for whom it means. */
const search = document.querySelector(".vp-names-search");
if (search) {
  search.addEventListener("submit", () => {
    const scope = document.querySelector("input[type=radio][name=only]:checked");
    search.elements.only.value = scope ? scope.value : "";
  });
}

function answer(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const arrow = key.startsWith("Arrow");
  if (arrow && hasArrows(event.target)) {
    return false;
  }
  if (key === "ArrowDown" || key === "ArrowUp") {
    return moveFocus(key === "ArrowDown" ? 1 : -1);
  }
  if (key === "m") {
    return changeScope();
  }
  return key === "/" ? startSearch() : press(key);
}

document.addEventListener("keydown", (event) => {
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  const off = keysSwitch !== null && !keysSwitch.checked;
  if (modified || off || leaving || event.repeat || event.defaultPrevented || isTyping(event.target)) {
    return;
  }
  if (answer(event)) {
    event.preventDefault();
  }
});

/* Back from the next page, this one works again. */
window.addEventListener("pageshow", () => {
  leaving = false;
});

if (keysSwitch) {
  keysSwitch.checked = localStorage.getItem(KEYS_OFF) === null;
  keysSwitch.addEventListener("change", () => {
    if (keysSwitch.checked) {
      localStorage.removeItem(KEYS_OFF);
    } else {
      localStorage.setItem(KEYS_OFF, "1");
    }
  });
}

/* Whoever has searched goes on to what was found; the layout can be focused only once its script has run. */
function focusFound() {
  const searched = document.querySelector("[data-searched]");
  const found = document.querySelector(".vp-names-search ~ .vp-names-offers [data-choice]");
  if (searched) {
    (found || searched).focus();
  }
}

const root = document.documentElement;
const shown = new MutationObserver(() => {
  if (!root.hasAttribute("x-cloak")) {
    shown.disconnect();
    focusFound();
  }
});
shown.observe(root, { attributes: true, attributeFilter: ["x-cloak"] });
focusFound();
