# Lines of code in these files: not blank, not a comment, not in a test module, not for loom's models alone.
count() {
    awk '
        FNR == 1 { testing = 0 }
        /^#\[cfg\(.*test/ { testing = 1 }
        testing { next }
        /^[[:space:]]*$/ || /^[[:space:]]*\/\// { next }
        { lines += 1 }
        END { print lines + 0 }
    ' "$@"
}
