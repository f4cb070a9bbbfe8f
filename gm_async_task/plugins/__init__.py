"""The workflows that are shipped; each file is loaded by its path, as those of GM_PLUGIN_DIRS are."""
