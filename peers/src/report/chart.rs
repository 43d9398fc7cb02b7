//! Horizontal bars in SVG, readable on a light and on a dark page.

/// One chart: bars of one unit, from zero.
pub struct Panel {
    /// What is shown, and in what unit.
    pub title: String,
    /// Name, length and what is written beside it.
    pub bars: Vec<Bar>,
}

/// One bar.
pub struct Bar {
    /// On its left.
    pub name: String,
    /// Its length, in any unit.
    pub length: f64,
    /// On its right.
    pub label: String,
    /// Whether it is one of lukko's, which have a colour of their own.
    pub own: bool,
}

const WIDTH: usize = 760;
const NAMES: usize = 270;
const LONGEST: f64 = 420.0;
const TITLE: usize = 40;
const ROW: usize = 24;
const THICKNESS: usize = 15;

const STYLE: &str = "\
text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.own { font-weight: 600 }
rect { fill: #a8b1bb }
rect.own { fill: #0a6e5c }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  rect { fill: #545d68 }
  rect.own { fill: #3fc4a4 }
}";

/// The panels, one below the other.
pub fn svg(panels: &[Panel]) -> String {
    let height: usize = panels.iter().map(|panel| TITLE + ROW * panel.bars.len()).sum::<usize>() + 12;
    let titles: Vec<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>{}</title>\n<style>\n{STYLE}\n</style>\n",
        escaped(&titles.join("; "))
    );
    let mut top = 0;
    for panel in panels {
        svg += &panel.drawn(top);
        top += TITLE + ROW * panel.bars.len();
    }
    svg + "</svg>\n"
}

impl Panel {
    fn drawn(&self, top: usize) -> String {
        let longest = self.bars.iter().map(|bar| bar.length).fold(f64::MIN_POSITIVE, f64::max);
        let mut text = format!("<text class=\"title\" x=\"8\" y=\"{}\">{}</text>\n", top + 27, escaped(&self.title));
        for (row, bar) in self.bars.iter().enumerate() {
            text += &bar.drawn(top + TITLE + row * ROW, (bar.length / longest * LONGEST).max(1.0));
        }
        text
    }
}

impl Bar {
    fn drawn(&self, top: usize, length: f64) -> String {
        let class = if self.own { " class=\"own\"" } else { "" };
        let (name, label) = (escaped(&self.name), escaped(&self.label));
        let (end, line, behind) = (NAMES - 8, top + 13, NAMES as f64 + length + 7.0);
        format!(
            "<text{class} x=\"{end}\" y=\"{line}\" text-anchor=\"end\">{name}</text>\
             <rect{class} x=\"{NAMES}\" y=\"{top}\" width=\"{length:.1}\" height=\"{THICKNESS}\" rx=\"2\"/>\
             <text{class} x=\"{behind:.1}\" y=\"{line}\">{label}</text>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_has_the_full_length() {
        let bar = |name: &str, length| Bar { name: name.into(), length, label: String::new(), own: false };
        let svg = svg(&[Panel { title: "a < b".into(), bars: vec![bar("one", 1.0), bar("four", 4.0)] }]);
        assert!(
            svg.contains("a &lt; b") && svg.contains("width=\"420.0\"") && svg.contains("width=\"105.0\""),
            "{svg}"
        );
    }
}
