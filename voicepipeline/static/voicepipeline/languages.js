// The field in which one types to find a language is made by a library, without a name for those who do not see it.
addEventListener("load", () => {
  for (const select of document.querySelectorAll("select.unfold-admin-autocomplete[multiple]")) {
    const field = select.nextElementSibling?.querySelector(".select2-search__field");
    const label = document.querySelector(`label[for="${select.id}"]`);
    if (field && label) field.setAttribute("aria-label", label.textContent.trim());
  }
});
