"""Images for training, made from a seed: nobody's photographs, so nobody's rights.

Dead leaves (Lee, Mumford and Huang, IJCV 2001): shapes whose sizes follow a power law, laid over one another, have the edges, the scales
and the statistics of natural images; Achddou, Gousseau and Ladjal (SSVM 2021) train restoration on them nearly as well as on photographs.
Each leaf here has its own tone, gradient and texture (noise of a 1/f spectrum, waves, weave); lines of writing lie among them. The
picture is then blurred (all of it, or with depth) and its contrast lowered, as lenses and haze do, and a sensor's grain lies over it: a
network that has seen only sharp edges spoils soft photographs, and one that has seen no grain sharpens it.

All images are luma alone, float32, in 0..1.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIZE = 256  # side of a made image
FINER = 2  # drawn this much finer and averaged down: edges get the soft step that a camera's pixels give

Random = np.random.Generator


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur in the frequency domain: the image repeats at its borders."""
    fy, fx = np.fft.fftfreq(image.shape[0])[:, None], np.fft.rfftfreq(image.shape[1])[None]
    transfer = np.exp(-2.0 * (np.pi * sigma) ** 2 * (fy**2 + fx**2))
    return np.fft.irfft2(np.fft.rfft2(image) * transfer, image.shape).astype(np.float32)


def spectrum_noise(random: Random, size: int, slope: float, stretch: float = 1.0, angle: float = 0.0) -> np.ndarray:
    """Noise whose amplitude falls as 1 / frequency^slope; `stretch` > 1 draws it out along `angle` (wood, hair, water)."""
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    along = np.cos(angle) * fx + np.sin(angle) * fy
    across = np.cos(angle) * fy - np.sin(angle) * fx
    frequency = np.hypot(along * stretch, across) + 1.0 / size
    noise = np.fft.irfft2(np.fft.rfft2(random.standard_normal((size, size))) / frequency**slope, (size, size))
    return (noise / noise.std()).astype(np.float32)


def waves(random: Random, size: int, warp: np.ndarray) -> np.ndarray:
    """Stripes, or two sets crossed into a weave, of a wavelength of 3 pixels and more, bent by `warp`."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    pattern = np.zeros((size, size), np.float32)
    angle = random.uniform(0, np.pi)
    for turned in (0.0, np.pi / 2)[: random.integers(1, 3)]:
        wavelength = FINER * 3.0 * 12.0 ** random.random()
        phase = (np.cos(angle + turned) * x + np.sin(angle + turned) * y + random.uniform(0, 3) * wavelength * warp) / wavelength
        pattern += np.sin(2 * np.pi * phase)
    return np.tanh(pattern * random.uniform(0.7, 4.0))


def textures(random: Random, size: int) -> np.ndarray:
    """Six textures of unit size: four of noise, two of waves."""
    noises = []
    for _ in range(4):
        slope, stretch = random.uniform(0.3, 2.0), 6.0 ** max(0.0, random.uniform(-1, 1))
        noises.append(spectrum_noise(random, size, slope, stretch, random.uniform(0, np.pi)))
    warp = spectrum_noise(random, size, 2.0)
    return np.stack(noises + [waves(random, size, warp) for _ in range(2)])


def outline(random: Random, x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """A polygon: smooth blob, ellipse, box, triangle or splinter."""
    kind = random.random()
    if kind < 0.5:
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radii = radius * (1 + random.uniform(0, 0.35) * np.sin(random.integers(1, 6) * angles + random.uniform(0, 6)))
    else:
        angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 7))) if kind < 0.7 else np.pi / 4 + np.arange(4) * np.pi / 2
        radii = np.full(len(angles), radius)
    turn, flat = random.uniform(0, np.pi), 10.0 ** -(random.random() ** 2)
    px, py = radii * np.cos(angles), flat * radii * np.sin(angles)
    return list(zip(x + np.cos(turn) * px - np.sin(turn) * py, y + np.sin(turn) * px + np.cos(turn) * py))


def write_line(random: Random, draw: ImageDraw.ImageDraw, size: int, ink: int) -> None:
    """One line of made-up letters, each two to four strokes and bows in a box."""
    height = FINER * random.uniform(6, 28)
    width = 0.55 * height
    x, y = random.uniform(-0.3, 0.6) * size, random.uniform(0, 1) * size
    turn = random.choice([0.0, random.uniform(-0.6, 0.6)])
    thick = max(1, round(height * random.uniform(0.06, 0.2)))
    for _ in range(random.integers(5, 40)):
        for _ in range(random.integers(2, 5)):
            if random.random() < 0.6:
                ends = random.integers(0, 3, 4) / 2 * (width, height, width, height) + (x, y, x, y)
                draw.line(list(ends), ink, thick)
            else:
                top = y + random.integers(0, 2) * height / 2
                begin = random.integers(0, 4) * 90
                draw.arc([x, top, x + width, top + height / 2], begin, begin + random.choice([180, 270, 360]), ink, thick)
        x += height * random.choice([0.75, 0.75, 0.75, 1.3])
        y += np.tan(turn) * height * 0.75


def leaf_map(random: Random, size: int) -> tuple[np.ndarray, int]:
    """Which leaf each pixel shows, and how many there are. Radii r follow r^-3 between a smallest and a largest."""
    smallest, largest = FINER * random.uniform(1.5, 10), FINER * random.uniform(60, 140)
    ids = Image.new("I", (size, size), 0)
    draw = ImageDraw.Draw(ids)
    leaves = int(min(1200, 5 * (size / smallest) ** 2 / 12))
    uniform = random.random(leaves)
    radii = (smallest**-2 - uniform * (smallest**-2 - largest**-2)) ** -0.5
    writing = set(random.integers(leaves // 2, leaves, random.integers(0, 7))) if random.random() < 0.4 else set()
    for leaf, radius in enumerate(radii, start=1):
        x, y = random.uniform(0, size, 2)
        draw.polygon(outline(random, x, y, radius), fill=leaf)
        if leaf in writing:
            write_line(random, draw, size, leaf)
    return np.asarray(ids), leaves + 1


def dead_leaves(random: Random, size: int) -> np.ndarray:
    ids, leaves = leaf_map(random, size)
    bank = textures(random, size)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size
    tone = random.beta(1.2, 1.2, leaves).astype(np.float32)
    slope = random.normal(0, 0.35, (2, leaves)).astype(np.float32) * (random.random(leaves) < 0.6)
    strength = (random.exponential(random.choice([0.02, 0.06, 0.12]), leaves)).astype(np.float32) * (random.random(leaves) < 0.8)
    texture = np.take_along_axis(bank, random.integers(0, len(bank), leaves)[ids][None], 0)[0]
    return tone[ids] + slope[0][ids] * (x - 0.5) + slope[1][ids] * (y - 0.5) + strength[ids] * texture


def made_image(random: Random) -> np.ndarray:
    size = SIZE * FINER
    kind = random.random()
    if kind < 0.75:
        image = dead_leaves(random, size)
    else:  # no edge at all: cloud, stone, bark, sand
        image = 0.5 + random.uniform(0.05, 0.25) * textures(random, size)[: random.integers(1, 5)].mean(0)
    image = np.asarray(Image.fromarray(image.astype(np.float32)).resize((SIZE, SIZE), Image.Resampling.BOX))
    lens = random.random()
    if lens < 0.35:
        image = blurred(image, random.uniform(0.3, 1.8))
    elif lens < 0.6:  # depth: sharp here, soft there
        depth = spectrum_noise(random, SIZE, 2.5)
        share = 1 / (1 + np.exp(-4 * depth - random.normal()))
        image = share * image + (1 - share) * blurred(image, random.uniform(0.6, 3.0))
    contrast = 1.0 if random.random() < 0.5 else random.uniform(0.15, 1.0)
    middle = image.mean() + (1 - contrast) * random.uniform(-0.4, 0.4)
    image = middle + contrast * (image - image.mean())
    if random.random() < 0.6:
        grain = blurred(random.standard_normal(image.shape), random.choice([0.0, 0.0, 0.5]))
        image += 10 ** random.uniform(-3, -1.9) / grain.std() * grain
    return np.clip(image, 0, 1).astype(np.float32)
