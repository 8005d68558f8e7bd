/* The keys of the overview and of the page Pipeline: / to find a voice note, ? to see what there is. */
(() => {
  const TYPED = "overview-find";
  const find = document.querySelector("[data-find]");
  const keys = document.querySelector("[data-keys]");
  const help = document.querySelector("[data-help]");
  if (!find) {
    return;
  }

  function isTyping(element) {
    return element.matches("input, textarea, select, [contenteditable]") || keys.open;
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    if (event.key === "/") {
      event.preventDefault();
      find.focus();
    } else if (event.key === "?") {
      event.preventDefault();
      keys.showModal();
    }
  }

  help.hidden = false;
  help.addEventListener("click", () => keys.showModal());
  document.addEventListener("keydown", press);

  /* What was typed is there again after signing in again. */
  document.querySelector("[data-live]").addEventListener("signed-out", () => sessionStorage.setItem(TYPED, find.value));
  find.value ||= sessionStorage.getItem(TYPED) || "";
  sessionStorage.removeItem(TYPED);
})();
