// unfold would write the file's name into a field of its own that is not there.
document.getElementById("id_file").hasChangeListener = true;
