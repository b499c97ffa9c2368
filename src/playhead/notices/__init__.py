"""Ways to tell people: templates, and targets through apprise, mail first. Knows neither what is told nor to whom."""
