"""`make pi-bundle`: an archive that installs image-gender-classifier without internet."""
