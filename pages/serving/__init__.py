"""What the App serves besides pages: routes, exports, metrics, headers."""
