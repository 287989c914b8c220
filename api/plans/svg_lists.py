"""What of a drawing is kept: everything else is left out.

Nothing on these lists runs, loads or leads anywhere: no scripts, no event handlers, no animation,
no links, no foreign markup, no filters (which cost without bound). SVG 2 (W3C) has their meaning.
"""

_ELEMENTS = """
svg g defs symbol use switch title desc style image path rect circle ellipse line polyline
polygon text tspan textPath linearGradient radialGradient stop pattern clipPath mask
marker"""

_ATTRIBUTES = """
id class x y x1 y1 x2 y2 cx cy r rx ry fx fy fr dx dy d points width height viewBox
preserveAspectRatio transform rotate pathLength offset gradientUnits gradientTransform
spreadMethod patternUnits patternContentUnits patternTransform clipPathUnits maskUnits
maskContentUnits markerWidth markerHeight markerUnits refX refY orient textLength lengthAdjust
startOffset method spacing version baseProfile role aria-label aria-hidden lang
systemLanguage
fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin
stroke-miterlimit stroke-dasharray stroke-dashoffset opacity color display visibility overflow
clip-path clip-rule mask marker-start marker-mid marker-end stop-color stop-opacity
vector-effect paint-order shape-rendering text-rendering image-rendering color-interpolation
font-family font-size font-style font-weight font-variant font-stretch font-size-adjust
letter-spacing word-spacing text-anchor text-decoration dominant-baseline alignment-baseline
baseline-shift writing-mode direction unicode-bidi white-space"""

ELEMENTS = frozenset(_ELEMENTS.split())
ATTRIBUTES = frozenset(_ATTRIBUTES.split())

REFERRING = frozenset({"use", "linearGradient", "radialGradient", "pattern", "textPath"})
"""Elements whose `href` may name something of the same drawing."""
