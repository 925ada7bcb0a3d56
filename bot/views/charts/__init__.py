"""Pictures of an account, as SVG text; numbers are Decimal until they become places."""
