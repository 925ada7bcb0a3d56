"""Parts that views share: amounts, times, keyboards, badges."""
