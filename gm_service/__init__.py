"""The business front: stations and their sign-in, orders, exports, imports, downloads and pages."""
