"""`python -m gm_service.demo` loads the demo orders."""

from gm_service.demo.load import main

main()
