/* A voice note's page: sentences that play, quotes that light up with their statement, and refreshes that fold nothing up. */
function seek(seconds) {
  const player = document.getElementById("player");
  if (player) {
    player.currentTime = Number(seconds);
    player.play().catch(() => {});
  }
  return player !== null;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-seek]");
  if (link && seek(link.dataset.seek)) {
    event.preventDefault();
    return;
  }
  const sentence = event.target.closest(".vp-sentence[data-from]");
  // Whoever marks words to copy them does not want to hear them.
  if (sentence && !event.target.closest("a") && getSelection().isCollapsed) {
    seek(sentence.dataset.from);
  }
});

/* Media events do not bubble, so they are caught on their way down. */
document.addEventListener(
  "timeupdate",
  (event) => {
    const now = event.target.currentTime;
    for (const sentence of document.querySelectorAll(".vp-sentence[data-from]")) {
      const spoken = Number(sentence.dataset.from) <= now && now < Number(sentence.dataset.to);
      sentence.classList.toggle("vp-spoken-now", spoken && now > 0);
    }
  },
  true,
);
document.addEventListener("error", (event) => showTrouble(event.target), true);
// It may have failed before this script ran.
showTrouble(document.getElementById("player"));

function showTrouble(player) {
  if (player && player.id === "player" && player.error) {
    document.getElementById("player-trouble").hidden = false;
  }
}

function statementsOf(element) {
  const mark = element && element.closest && element.closest("mark[data-statements]");
  const statement = element && element.closest && element.closest("[data-statement]");
  return mark ? mark.dataset.statements.split(" ") : statement ? [statement.dataset.statement] : [];
}

function lightUp(pointedAt) {
  const asked = [pointedAt, document.activeElement, location.hash && document.getElementById(location.hash.slice(1))];
  const numbers = asked.map(statementsOf).find((found) => found.length > 0) || [];
  for (const mark of document.querySelectorAll("mark[data-statements]")) {
    mark.classList.toggle("vp-lit", mark.dataset.statements.split(" ").some((number) => numbers.includes(number)));
  }
  for (const statement of document.querySelectorAll(".vp-statement")) {
    statement.classList.toggle("vp-lit", numbers.includes(statement.dataset.statement));
  }
}

document.addEventListener("mouseover", (event) => lightUp(event.target));
document.addEventListener("focusin", (event) => lightUp(event.target));
window.addEventListener("hashchange", () => lightUp(null));
lightUp(null);

const scrolled = new Map();
let unfolded = [];

/* What comes anew is folded up, whatever somebody had opened. */
document.addEventListener("htmx:beforeSwap", (event) => {
  unfolded = [...event.detail.target.querySelectorAll("details[id][open]:not([hx-preserve])")].map(({ id }) => id);
});

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  for (const details of target.querySelectorAll("details[id]:not([hx-preserve])")) {
    const next = fragment.querySelector(`#${CSS.escape(details.id)}`);
    if (next) {
      next.open = details.open;
    }
  }
  for (const pane of target.querySelectorAll("[data-keep-scroll]")) {
    scrolled.set(pane.id, pane.scrollTop);
  }
});

document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) {
    const details = document.getElementById(id);
    if (details) {
      details.open = true;
    }
  }
  for (const [id, top] of scrolled) {
    const pane = document.getElementById(id);
    if (pane) {
      pane.scrollTop = top;
    }
  }
  lightUp(document.querySelector(".vp-statement:hover, mark:hover"));
});
