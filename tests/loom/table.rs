//! Columns that line up.

/// A table that is printed at the end. The first column is text, the others are figures.
pub struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// With these names above the columns.
    pub fn new(header: [&str; COLUMNS]) -> Self {
        Table { rows: vec![header.map(str::to_owned)] }
    }

    /// Adds a row.
    pub fn row(&mut self, row: [String; COLUMNS]) {
        self.rows.push(row);
    }

    /// Prints all rows, each column as wide as its widest.
    pub fn print(&self) {
        let widths: Vec<usize> = (0..COLUMNS)
            .map(|column| self.rows.iter().map(|row| row[column].len()).max().unwrap_or(0))
            .collect();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = format!("{:<width$}", row[0], width = widths[0]);
            for column in 1..COLUMNS {
                line.push_str(&format!("  {:>width$}", row[column], width = widths[column]));
            }
            println!("{line}");
            if index == 0 {
                println!("{}", "-".repeat(line.len()));
            }
        }
    }
}
