"""Examples that the README shows; the tests run them."""
