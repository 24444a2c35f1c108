"""HTTP, WebSocket and the live page."""
