"""One module for each part of the guide: ``make(case, texts)`` says what is known as blocks."""
