"""Draw the icon and the logo: a play room that smiles, one eye a D-pad, one a button.

Writes the pictures that Home Assistant shows to custom_components/rumpus/brand and the
same as SVG to brand. Needs Pillow, which the test environment has:

    .venv/bin/python script/draw_brand.py
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin
from pathlib import Path

from PIL import Image, ImageDraw

type Point = tuple[float, float]
type Line = list[Point]

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "custom_components" / "rumpus" / "brand"
SOURCES = ROOT / "brand"

OVERSAMPLING = 4
CURVE_STEPS = 48

TOP_COLOR = "#7b4dff"
BOTTOM_COLOR = "#ff5f8f"
FACE_COLOR = "#ffffff"
BUTTON_COLOR = "#ffd54a"
WORD_COLOR = "#3b2a6b"
WORD_COLOR_DARK = "#f3efff"

# The icon is one unit wide and high, y grows downwards.
HOUSE: Line = [(0.5, 0.0), (1.0, 0.44), (1.0, 1.0), (0.0, 1.0), (0.0, 0.44)]
HOUSE_RADII = (0.16, 0.16, 0.22, 0.22, 0.16)

# Letters: x-height and so on in units of the letters' own size, y grows upwards.
CAPITAL_HEIGHT = 1.46
DESCENDER = 0.46
STROKE = 0.27
LETTER_GAP = 0.52


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line with round ends."""

    points: Line
    width: float
    color: str


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle."""

    center: Point
    radius: float
    color: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a picture is made of; the house is filled from the top to the bottom colour."""

    width: float
    height: float
    house: Line
    shapes: Sequence[Stroke | Disc]


def arc(center: Point, radius: Point, start: float, end: float) -> Line:
    """Return points of an ellipse, from and to an angle in degrees."""
    return [
        (
            center[0]
            + radius[0] * cos(pi / 180 * (start + (end - start) * i / CURVE_STEPS)),
            center[1]
            + radius[1] * sin(pi / 180 * (start + (end - start) * i / CURVE_STEPS)),
        )
        for i in range(CURVE_STEPS + 1)
    ]


def rounded(corners: Line, radii: Sequence[float]) -> Line:
    """Return a closed outline whose corners are rounded by quadratic curves."""
    outline: Line = []
    for i, (corner, radius) in enumerate(zip(corners, radii, strict=True)):
        ends = []
        for neighbour in (corners[i - 1], corners[(i + 1) % len(corners)]):
            length = hypot(neighbour[0] - corner[0], neighbour[1] - corner[1])
            part = radius / length
            ends.append(
                (
                    corner[0] + (neighbour[0] - corner[0]) * part,
                    corner[1] + (neighbour[1] - corner[1]) * part,
                )
            )
        for step in range(CURVE_STEPS + 1):
            t = step / CURVE_STEPS
            outline.append(
                (
                    (1 - t) ** 2 * ends[0][0]
                    + 2 * t * (1 - t) * corner[0]
                    + t**2 * ends[1][0],
                    (1 - t) ** 2 * ends[0][1]
                    + 2 * t * (1 - t) * corner[1]
                    + t**2 * ends[1][1],
                )
            )
    return outline


def fitted(outline: Line) -> Line:
    """Stretch an outline to the unit square: rounding took something off the top."""
    left, right = min(x for x, _ in outline), max(x for x, _ in outline)
    top, bottom = min(y for _, y in outline), max(y for _, y in outline)
    return [
        ((x - left) / (right - left), (y - top) / (bottom - top)) for x, y in outline
    ]


def draw_icon() -> Drawing:
    """Return the house with its face."""
    width = 0.095
    return Drawing(
        1.0,
        1.0,
        fitted(rounded(HOUSE, HOUSE_RADII)),
        (
            Stroke([(0.2, 0.47), (0.4, 0.47)], width, FACE_COLOR),
            Stroke([(0.3, 0.37), (0.3, 0.57)], width, FACE_COLOR),
            Disc((0.7, 0.47), 0.12, BUTTON_COLOR),
            Stroke(arc((0.5, 0.65), (0.24, 0.18), 160, 20), width, FACE_COLOR),
        ),
    )


def letters() -> list[tuple[float, list[Line]]]:
    """Return width and lines of each letter of the word."""
    u: list[Line] = [
        [(0.0, 1.0), *arc((0.38, 0.4), (0.38, 0.4), 180, 360), (0.76, 1.0)],
        [(0.76, 1.0), (0.76, 0.0)],
    ]
    return [
        (
            0.84,
            [
                [(0.0, 0.0), (0.0, CAPITAL_HEIGHT)],
                [
                    (0.0, CAPITAL_HEIGHT),
                    *arc((0.42, CAPITAL_HEIGHT - 0.4), (0.4, 0.4), 90, -90),
                    (0.0, CAPITAL_HEIGHT - 0.8),
                ],
                [(0.38, CAPITAL_HEIGHT - 0.8), (0.84, 0.0)],
            ],
        ),
        (0.76, u),
        (
            1.3,
            [
                [(0.0, 0.0), (0.0, 1.0)],
                [(0.0, 0.6), *arc((0.325, 0.66), (0.325, 0.34), 180, 0), (0.65, 0.0)],
                [(0.65, 0.6), *arc((0.975, 0.66), (0.325, 0.34), 180, 0), (1.3, 0.0)],
            ],
        ),
        (
            0.86,
            [[(0.0, 1.0), (0.0, -DESCENDER)], arc((0.43, 0.5), (0.43, 0.5), 0, 360)],
        ),
        (0.76, u),
        (
            0.62,
            [
                [
                    *arc((0.32, 0.755), (0.29, 0.245), 35, 250),
                    *arc((0.3, 0.245), (0.31, 0.265), 75, -150),
                ],
            ],
        ),
    ]


def draw_logo(word_color: str) -> Drawing:
    """Return the icon with the word beside it."""
    icon = draw_icon()
    size = 1 / (CAPITAL_HEIGHT + DESCENDER + STROKE)
    baseline = 1 - (DESCENDER + STROKE / 2) * size
    x = 1.2 + STROKE / 2 * size
    shapes = list(icon.shapes)
    for width, lines in letters():
        shapes += [
            Stroke(
                [(x + px * size, baseline - py * size) for px, py in line],
                STROKE * size,
                word_color,
            )
            for line in lines
        ]
        x += (width + LETTER_GAP) * size
    right = x - (LETTER_GAP - STROKE / 2) * size
    return Drawing(right, 1.0, icon.house, shapes)


def gradient(size: tuple[int, int], house_size: int) -> Image.Image:
    """Return the house's colours, from the upper left to the lower right."""
    top, bottom = (
        [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        for color in (TOP_COLOR, BOTTOM_COLOR)
    )
    ramp = Image.linear_gradient("L").resize((house_size, house_size))
    tilted = Image.blend(ramp, ramp.rotate(90), 0.35)
    colors = Image.merge(
        "RGB",
        [
            tilted.point([round(a + (b - a) * value / 255) for value in range(256)])
            for a, b in zip(top, bottom, strict=True)
        ],
    )
    picture = Image.new("RGBA", size)
    picture.paste(colors, (0, 0))
    return picture


def render(drawing: Drawing, height: int) -> Image.Image:
    """Return the picture, this many pixels high."""
    scale = height * OVERSAMPLING
    size = (round(drawing.width * height) * OVERSAMPLING, scale)
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon(
        [(x * scale, y * scale) for x, y in drawing.house], fill=255
    )
    picture = Image.new("RGBA", size)
    picture.paste(gradient(size, scale), mask=mask)
    pen = ImageDraw.Draw(picture)

    def dot(center: Point, radius: float, color: str) -> None:
        x, y, r = center[0] * scale, center[1] * scale, radius * scale
        pen.ellipse((x - r, y - r, x + r, y + r), fill=color)

    for shape in drawing.shapes:
        if isinstance(shape, Disc):
            dot(shape.center, shape.radius, shape.color)
            continue
        points = [(x * scale, y * scale) for x, y in shape.points]
        pen.line(points, fill=shape.color, width=round(shape.width * scale))
        for point in shape.points:
            dot(point, shape.width / 2, shape.color)
    return picture.resize(
        (round(drawing.width * height), height), Image.Resampling.LANCZOS
    )


def to_svg(drawing: Drawing) -> str:
    """Return the same drawing as SVG."""

    def path(points: Line) -> str:
        return "M" + " L".join(f"{x * 256:.1f},{y * 256:.1f}" for x, y in points)

    body = [f'<path fill="url(#house)" d="{path(drawing.house)} Z"/>']
    for shape in drawing.shapes:
        if isinstance(shape, Disc):
            x, y, radius = (value * 256 for value in (*shape.center, shape.radius))
            body.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{shape.color}"/>'
            )
        else:
            body.append(
                f'<path fill="none" stroke="{shape.color}" stroke-width="{shape.width * 256:.1f}"'
                f' stroke-linecap="round" stroke-linejoin="round" d="{path(shape.points)}"/>'
            )
    size = f"{drawing.width * 256:.0f}", f"{drawing.height * 256:.0f}"
    return (
        "\n  ".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}">',
                (
                    '<linearGradient id="house" gradientUnits="userSpaceOnUse" x1="70" y1="0"'
                    ' x2="186" y2="256">'
                ),
                f'  <stop offset="0" stop-color="{TOP_COLOR}"/>',
                f'  <stop offset="1" stop-color="{BOTTOM_COLOR}"/>',
                "</linearGradient>",
                *body,
            ]
        )
        + "\n</svg>\n"
    )


def main() -> None:
    """Write all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    SOURCES.mkdir(exist_ok=True)
    for name, drawing, height in (
        ("icon", draw_icon(), 256),
        ("logo", draw_logo(WORD_COLOR), 192),
        ("dark_logo", draw_logo(WORD_COLOR_DARK), 192),
    ):
        render(drawing, height).save(PICTURES / f"{name}.png", optimize=True)
        render(drawing, height * 2).save(PICTURES / f"{name}@2x.png", optimize=True)
        (SOURCES / f"{name}.svg").write_text(to_svg(drawing), encoding="utf-8")


if __name__ == "__main__":
    main()
