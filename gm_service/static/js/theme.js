// Applies the chosen theme before anything is drawn; no module, as those run after the first frame.

(() => {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
})();
