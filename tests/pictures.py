"""What tests of figures share."""


def fits_on_the_page(figure):
    """Whether nothing that shows reaches over the edge of a figure; in inches, a hundredth is a hair."""
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    return box.x0 > -0.01 and box.y0 > -0.01 and box.x1 < width + 0.01 and box.y1 < height + 0.01
