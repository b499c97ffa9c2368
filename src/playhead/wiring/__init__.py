"""The one place that joins objects: it knows every port and its implementation, and decides nothing."""
