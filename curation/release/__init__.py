"""Building, checking and describing releases."""
