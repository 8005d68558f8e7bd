/* Alpine component for a dialog: focus goes in when it opens, stays inside, and returns to where it was. */
const FOCUSABLE = 'a[href], button:not([disabled]), input:not([type="hidden"]):not([disabled]), select:not([disabled]), textarea:not([disabled])';

function keepsFocus(flag) {
  return {
    cameFrom: null,
    init() {
      this.$watch(flag, (open) => (open ? this.enter() : this.leave()));
    },
    focusable() {
      return [...this.$root.querySelectorAll(FOCUSABLE)].filter((element) => element.offsetParent !== null);
    },
    enter() {
      this.cameFrom = document.activeElement;
      this.focusFirst();
    },
    focusFirst() {
      const all = this.focusable();
      if (all.length > 0) {
        // A field to fill in comes before the close button.
        (all.find((element) => element.matches("input, select, textarea")) || all[0]).focus();
      } else if (this[flag]) {
        // Alpine shows the dialog a moment after the flag was set.
        requestAnimationFrame(() => this.focusFirst());
      }
    },
    leave() {
      if (this.cameFrom && this.cameFrom.isConnected) {
        this.cameFrom.focus();
      }
      this.cameFrom = null;
    },
    keepFocus(event) {
      const all = this.focusable();
      if (all.length === 0) {
        return;
      }
      const edge = event.shiftKey ? all[0] : all[all.length - 1];
      if (document.activeElement === edge || !this.$root.contains(document.activeElement)) {
        event.preventDefault();
        (event.shiftKey ? all[all.length - 1] : all[0]).focus();
      }
    },
  };
}
