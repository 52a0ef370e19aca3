"""SVG paths of the icons, in a 16 by 16 box; they take the color of the surrounding text."""

from __future__ import annotations

CIRCLE = "M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0z"

ICONS = {
    "arrow-down": "M8 3v10m4-4-4 4-4-4",
    "arrow-up": "M8 13V3m4 4L8 3 4 7",
    "back": "M13 8H3m4-4L3 8l4 4",
    "bank": "M2.5 6.5 8 3l5.5 3.5zM4 6.5V12m2.7-5.5V12m2.6-5.5V12M12 6.5V12M2.5 13h11",
    "card": "M2 3.5h12v9H2zM2 6.5h12M4.5 10H7",
    "chat": "M2.5 3.5h11v7.5H7l-3 2.5V11H2.5z",
    "check": CIRCLE + "M5.5 8.2l1.7 1.7 3.3-3.7",
    "clock": CIRCLE + "M8 4.8V8l2.2 1.5",
    "close": "m4 4 8 8M12 4l-8 8",
    "code": "m5.5 4.5-3.5 3.5 3.5 3.5M10.5 4.5l3.5 3.5-3.5 3.5",
    "coin": CIRCLE + "M5.5 6.5h5M8 6.5v4.5",
    "copy": "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
    "danger": CIRCLE + "M8 5v3.5M8 10.8v.1",
    "file": "M4 2.5h5L12.5 6v7.5h-8.5a.5.5 0 0 1-.5-.5zM9 2.5V6h3.5",
    "forward": "M3 8h10M9 4l4 4-4 4",
    "globe": CIRCLE + "M2.5 8h11M8 2.5c2 1.6 2.8 3.4 2.8 5.5S10 11.9 8 13.5C6 11.9 5.2 10.1 5.2 8S6 4.1 8 2.5z",
    "inbox": "M2.5 9 4.5 3h7l2 6v4h-11zM2.5 9H6l.7 1.5h2.6L10 9h3.5",
    "info": CIRCLE + "M8 7.5v3.2M8 5.2v.1",
    "key": "M9 7a3 3 0 1 0-1 1l5.5 5.5V11.5M11.5 11.5h2M6 5.2v.1",
    "orders": "M6 4h7.5M6 8h7.5M6 12h7.5M2.5 4h.5M2.5 8h.5M2.5 12h.5",
    "phone": "M5 2h6v12H5zM7.3 12h1.4",
    "plus": "M8 3v10M3 8h10",
    "search": "M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10.5 10.5l3 3",
    "services": "M2.5 2.5H7V7H2.5zM9 2.5h4.5V7H9zM2.5 9H7v4.5H2.5zM9 9h4.5v4.5H9z",
    "star": "m8 2 1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.3l-3.7 2 .8-4.1L2 6.3l4.2-.5z",
    "user": "M10.5 5.5a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM3 13.5c.5-2.5 2.5-3.5 5-3.5s4.5 1 5 3.5",
    "wallet": "M2.5 5v7a1 1 0 0 0 1 1h10V5h-11zm0 0 8.5-2.5V5M10.5 9h.5",
    "warning": "M8 2.5 14 13H2zM8 6.5v3M8 11.3v.1",
}
