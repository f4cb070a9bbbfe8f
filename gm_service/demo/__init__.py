"""The demo stations' real orders, and a program that shows the main job on them."""
