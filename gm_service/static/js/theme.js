// Applies the chosen theme before anything is drawn; no module, as those run after the first frame.

(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // In a frame of another site nothing is kept.
  }
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
  }
})();
