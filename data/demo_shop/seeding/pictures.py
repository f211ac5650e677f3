"""Draw one flat picture for each product."""

import random

BACKDROPS = ["#f3ece1", "#e8eef2", "#eef1e6", "#f4e9e7", "#ece9f3", "#e6f0ee"]
PLAIN_TONES = ["#4c7a9c", "#b5654a", "#6a8f6b", "#c79a45", "#7f6a9a", "#3f6f6f", "#a9525f"]
GROUNDS = [
    '<circle cx="200" cy="204" r="168" fill="{g}"/>',
    '<rect x="36" y="40" width="328" height="328" rx="72" fill="{g}"/>',
    '<path d="M60 90Q190 0 320 80t40 180-160 110T50 280 60 90z" fill="{g}"/>',
    '<path d="M0 250q120-60 220-20t180-20v190H0z" fill="{g}"/>',
]


def _mix(color: str, other: str, share: float) -> str:
    """Return a colour between two colours.

    Args:
        color: `#rrggbb`.
        other: `#rrggbb`.
        share: how much of `other`, 0 to 1.
    """
    pairs = [(int(color[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _brightness(color: str) -> float:
    """Return the perceived brightness of a colour, 0 to 255."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def draw(product: dict, shape: str, colors: dict) -> str:
    """Return the SVG of a product.

    Args:
        product: the product record.
        shape: silhouette markup with colour placeholders.
        colors: colour name → entry of the colour bank.
    """
    rng = random.Random(f"picture {product['id']}")
    options = product["variants"][0]["options"]
    main = colors[options["color"]][0] if "color" in options else rng.choice(PLAIN_TONES)
    backdrop = rng.choice(BACKDROPS)
    pale = _brightness(main) > 205
    ground = _mix(backdrop, "#5f7f96" if pale else main, 0.42 if pale else 0.16)
    if _brightness(main) > 120:
        dark, light = _mix(main, "#20242c", 0.3), _mix(main, "#ffffff", 0.55)
    else:
        dark, light = _mix(main, "#0c0f16", 0.42), _mix(main, "#ffffff", 0.5)
    accent = rng.choice(["#e3b65b", "#d98a5f", "#c9b18c", "#e0c9a0"])
    body = shape.format(c=main, d=dark, l=light, a=accent)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" role="img">'
        f'<rect width="400" height="400" fill="{backdrop}"/>{rng.choice(GROUNDS).format(g=ground)}'
        f'<ellipse cx="200" cy="338" rx="120" ry="12" fill="#20242c" opacity=".12"/>{body}</svg>\n'
    )
